# pip install tqdm
import io

from tqdm import tqdm, trange

out = io.StringIO()
for _ in tqdm(range(5), file=out, ncols=40, desc="work", mininterval=0):
    pass
print(out.getvalue().split("\r")[-1][:20], tqdm.format_meter(50, 100, 2.5, ncols=60), tqdm.format_sizeof(123456))
with trange(3, file=io.StringIO()) as bar:
    for i in bar:
        bar.set_postfix(i=i)
print(bar.n)
