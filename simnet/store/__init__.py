"""A node's bounded place for slices, and the policies that say which slice goes first."""
