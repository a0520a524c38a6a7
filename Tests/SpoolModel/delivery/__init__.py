"""The life of a message from the client's DATA to the Maildir, the next host or the bounce."""
