"""The rehearsal: a stand-in of the cloud that runs on this machine and answers the real clients."""
