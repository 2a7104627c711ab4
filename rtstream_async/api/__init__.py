"""One typed coroutine per endpoint of the service."""
