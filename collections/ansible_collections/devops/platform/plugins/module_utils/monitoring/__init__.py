"""What Prometheus should say and when: rules from service level objectives, from scrape jobs, and of a user's own."""
