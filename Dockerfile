# Evaluates a real encoder on the built-in collection:
#   docker build --tag xlbench . && docker run --rm xlbench
# Any other command: docker run --rm --volume "$PWD/results:/work/results" xlbench run --model bm25 --task demo
FROM python:3.12-slim

# A build of torch for CPUs: that of the usual index brings several GB of CUDA libraries.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /xlbench
COPY constraints.txt ./
RUN pip install --no-cache-dir --constraint constraints.txt --index-url "$TORCH_INDEX" --extra-index-url https://pypi.org/simple torch
COPY pyproject.toml README.md LICENSE ./
COPY tasks tasks
COPY xlbench xlbench
RUN pip install --no-cache-dir --constraint constraints.txt '.[bm25,html,use-multilingual]'

RUN useradd --create-home user && mkdir /work && chown user /work
USER user
WORKDIR /work
ENTRYPOINT ["xlbench"]
CMD ["run", "--model", "use-multilingual", "--task", "demo"]
