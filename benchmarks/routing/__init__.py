"""How well the Router routes: its decision core in a simulator, on a virtual clock."""
