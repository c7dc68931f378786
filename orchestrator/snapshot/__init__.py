"""A node's database as an archive: packed from a node at rest, fetched and unpacked where another one starts.

`archive` is the format, `fetch` the download, `restore` a volume's way from empty to unpacked, `serve` what a pod does
that hands its volume out. Used by `nodeinit` and by `provision.snapshots`.
"""
