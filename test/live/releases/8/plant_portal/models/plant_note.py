from odoo import fields, models


class PlantNote(models.Model):
    """A table that the database does not have: this release needs a module update."""

    _name = "plant.note"
    _description = "Plant note"

    text = fields.Char()
