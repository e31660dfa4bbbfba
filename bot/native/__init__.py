"""The loops over log bytes, compiled where a C compiler was there at install, and the same in Python where none was."""
