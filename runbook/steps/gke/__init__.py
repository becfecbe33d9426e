"""Steps of sections 2.2 to 2.4 and their undoing: the cluster, its features and its node pools."""
