"""How fast simnet is, beside the libraries that it is measured against. Run each file as a command."""
