"""Which packages a wheel holds: the top-level folders categories/ and plugins/ become sub-packages of op_readiness.

The mapping stands in pyproject.toml; only the list of packages is computed here, so that a new folder needs no entry.
"""

from pathlib import Path

from setuptools import find_namespace_packages, setup

categories = sorted(path.parent.name for path in Path("categories").glob("*/spec.yaml"))
packages = [
    *find_namespace_packages(include=["op_readiness", "op_readiness.*"]),  # folders of data too
    "op_readiness.categories",
    "op_readiness.plugins",
    *(f"op_readiness.categories.{name}" for name in categories),
]

setup(
    packages=packages,
    package_dir={
        "op_readiness": "op_readiness",
        "op_readiness.categories": "categories",
        "op_readiness.plugins": "plugins",
    },
    package_data={
        "": [
            *("*.yaml", "*.yml", "*.json", "*.json.gz", "*.gz", "*.md", "*.ini", "*.ps1", "*.crt", "py.typed"),
            *("data/*", "library/*"),
        ],
    },
)
