"""What is done to objects: create, read, list, update, patch, apply and delete, each in a real API server's steps."""
