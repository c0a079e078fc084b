# SPDX-License-Identifier: Apache-2.0
"""The patches on the SDK: what goes by is written into a `Call`, and what the application sees stays as it was.

The only folder that touches the SDK or wrapt. Nothing here may raise into the application.
"""
