# SPDX-License-Identifier: Apache-2.0
"""The doors: patches on the libraries through which calls are made. They hand each call to `following`.

The only folder that touches wrapt. Nothing here may raise into the application, or change what it receives.
"""
