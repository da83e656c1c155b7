"""
The command line: one module per command.

    polyroute demo     a fleet on the loopback fails, and every call is answered all the same
    polyroute chat     talk to a real model
    polyroute check    what is wrong with a configuration file, and where
"""
