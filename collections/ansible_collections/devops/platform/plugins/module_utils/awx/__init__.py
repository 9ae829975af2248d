"""What AWX shall hold for a platform: job templates, surveys, workflow, schedules, and the way from what it has."""
