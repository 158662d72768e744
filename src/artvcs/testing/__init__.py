"""What every place for a repository's bytes must do, as suites of tests for whoever writes another one.

    class TestMyFiles(FilesContract, CommitPointContract):
        @pytest.fixture
        def files(self) -> Files:
            return MyFiles(...)  # an empty place

Each test takes `files`, an empty place; pytest gives it as a fixture, and by hand it is an argument. Two processes that
use one place are played by `FilesContract.other`. For messages that show values, call
`pytest.register_assert_rewrite("artvcs.testing")` before the import.
"""

from __future__ import annotations

from artvcs.testing.commit_point import CommitPointContract
from artvcs.testing.files import FilesContract

__all__ = ["CommitPointContract", "FilesContract"]
