# pip install apscheduler
import datetime
import threading

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

done = threading.Event()
scheduler = BackgroundScheduler(timezone="UTC")
scheduler.add_job(done.set, "date", id="once")
scheduler.add_job(print, "interval", hours=1, id="hourly")
scheduler.start()
print(done.wait(5), sorted(j.id for j in scheduler.get_jobs() if j.id != "once"))
scheduler.shutdown()
trigger = CronTrigger.from_crontab("*/15 9-17 * * mon-fri", timezone="UTC")
now = datetime.datetime(2024, 3, 1, 17, 50, tzinfo=datetime.timezone.utc)
print(trigger, trigger.get_next_fire_time(None, now))
