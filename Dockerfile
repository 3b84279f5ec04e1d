# Evaluates a real encoder on the built-in collection:
#   docker build --tag xlbench . && docker run --rm xlbench
# Any other command: docker run --rm --volume "$PWD/results:/work/results" xlbench run --model bm25 --task demo
FROM python:3.12-slim

# The usual build of torch brings several GB of CUDA libraries; --build-arg TORCH_INDEX=ADDRESS is that of an index with one for CPUs.
ARG TORCH_INDEX=
WORKDIR /xlbench
COPY constraints.txt ./
RUN pip install --no-cache-dir --constraint constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} torch
COPY pyproject.toml README.md LICENSE ./
COPY tasks tasks
COPY xlbench xlbench
RUN pip install --no-cache-dir --constraint constraints.txt '.[bm25,html,use-multilingual]'

RUN useradd --create-home user && mkdir /work && chown user /work
USER user
WORKDIR /work
ENTRYPOINT ["xlbench"]
CMD ["run", "--model", "use-multilingual", "--task", "demo"]
