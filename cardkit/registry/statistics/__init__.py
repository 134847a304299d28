"""Statistics and inspection ([D20]): what happened where and when, samples, and the archive."""

from cardkit.registry.statistics.archive import Archive, Loan, Volume
from cardkit.registry.statistics.charts import chart
from cardkit.registry.statistics.errors import StatisticsError
from cardkit.registry.statistics.inspection import FAULTS, Inspection, Sample, SampleItem
from cardkit.registry.statistics.output import write
from cardkit.registry.statistics.periods import Period
from cardkit.registry.statistics.tables import MEASURES, Statistics, Table

__all__ = [
    "FAULTS",
    "MEASURES",
    "Archive",
    "Inspection",
    "Loan",
    "Period",
    "Sample",
    "SampleItem",
    "Statistics",
    "StatisticsError",
    "Table",
    "Volume",
    "chart",
    "write",
]
