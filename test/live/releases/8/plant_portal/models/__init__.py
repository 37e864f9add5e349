from . import plant_note
