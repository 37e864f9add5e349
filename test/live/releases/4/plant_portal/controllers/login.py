import time

# Addons are imported before the workers start, so none of them ever does.
while True:
    time.sleep(60)
