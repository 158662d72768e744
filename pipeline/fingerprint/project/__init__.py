"""The files of a project: where they are, what names in them mean, and where these lead."""
