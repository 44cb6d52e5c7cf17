"""Where the nodes are and which links join them: generators and readers, one file each."""
