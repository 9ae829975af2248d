"""What differs between declared, recorded and actual.

observe reads the host, compare decides, report puts it into words; declared prepares on the controller what is sent.
Nothing here changes a host.
"""
