"""What makes a cluster act: admission, the scheduler, the controllers, the garbage collector."""
