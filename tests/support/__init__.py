# SPDX-License-Identifier: Apache-2.0
"""What the folders of tests share. No test module and no conftest is imported; fixtures stay in the conftest files."""
