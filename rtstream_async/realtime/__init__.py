"""The one reader of the WebSocket, and the subscriptions that it feeds."""
