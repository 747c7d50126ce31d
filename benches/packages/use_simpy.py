# pip install simpy
import simpy

log = []


def car(env, name, station, arrive, charge):
    yield env.timeout(arrive)
    with station.request() as request:
        yield request
        log.append((env.now, name, "starts"))
        yield env.timeout(charge)
    log.append((env.now, name, "leaves"))


def breaker(env, process):
    yield env.timeout(3)
    process.interrupt("stop")


def patient(env):
    try:
        yield env.timeout(100)
    except simpy.Interrupt as i:
        log.append((env.now, "patient", i.cause))


env = simpy.Environment()
station = simpy.Resource(env, capacity=2)
for i in range(4):
    env.process(car(env, f"car{i}", station, i * 2, 5))
env.process(breaker(env, env.process(patient(env))))
env.run(until=30)
print(log)
store = simpy.Store(env, 2)
env.process((store.put(i) for i in range(2)))
env.run()
print(store.items)
