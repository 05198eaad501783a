# blackbar alone: a static program on nothing, as a user who is not root.
#
#   docker build -t blackbar:0.1.0 .
#   make test 2>&1 | docker run -i --rm --read-only --cap-drop ALL --network none blackbar:0.1.0
FROM rust:1.95-alpine AS build
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin blackbar && strip target/release/blackbar

FROM scratch
COPY --from=build /src/target/release/blackbar /blackbar
COPY --from=build /src/LICENSE-MIT /src/LICENSE-APACHE /
# Nobody of the host: the number that distroless images use for `nonroot`.
USER 65532:65532
ENTRYPOINT ["/blackbar"]
