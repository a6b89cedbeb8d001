"""The Discord of one's own that the alerts are tested on."""

from tests.alerts.conftest import client as client
from tests.alerts.conftest import house as house
from tests.alerts.conftest import place as place
from tests.alerts.conftest import sender as sender
from tests.alerts.conftest import standin as standin
