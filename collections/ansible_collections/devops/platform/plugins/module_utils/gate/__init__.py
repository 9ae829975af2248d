"""Whether hosts that were just changed serve as well as they should, by Prometheus.

Read in this order: spec (what is asked for), prometheus (what is measured), verdict (what follows from it; pure),
statistics (the test behind a comparison), watch (the loop over time). Nothing here imports Ansible.
"""
