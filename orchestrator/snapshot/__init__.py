"""A node's database as an archive: packed from a paused node, fetched and unpacked where another node starts.

`archive` is the format, `fetch` downloads, `restore` fills an empty volume, and `__main__` serves a volume from a pod.
Used by `nodeinit` and by `provision.snapshots`.
"""
