"""Banking calendars by name: gazetted facts from our own files, standing rules from a library."""

from adapters.calendars.loader import CALENDARS, load_calendar

__all__ = ["CALENDARS", "load_calendar"]
