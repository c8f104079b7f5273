"""Admission: what is changed or refused of an object on its way in."""
