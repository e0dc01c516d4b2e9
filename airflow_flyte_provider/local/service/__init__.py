"""The gRPC services: requests checked and answered as FlyteAdmin does it."""
