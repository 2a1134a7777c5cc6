"""What is deployed: compose file, values for Kubernetes, image, and a fleet of workers."""
