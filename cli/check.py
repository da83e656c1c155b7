"""Say what is wrong with a configuration file, and where."""


def add_arguments(p):
    p.add_argument("config")


def run(a):
    return 0
