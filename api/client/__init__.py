"""The client: where names are sealed before anything is sent, and the only place that opens a box."""
