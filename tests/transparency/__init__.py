# SPDX-License-Identifier: Apache-2.0
"""Whatever a server sends and whatever an application does with it: is it the same with the package as without?"""
