"""What controllers and the scheduler share: caches that follow the API, work queues, Events, conditions."""
