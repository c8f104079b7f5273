"""The pull-request bot: who may ask for what, and what is answered. Standard library only: it runs before anything is
installed, from the default branch, with rights that code of a pull request must never see.
"""
