"""The doors of the client to the network: HTTP and WebSocket."""
