//! What is missing or wrong at the servers: the log says it, `/ready` tells it apart, and it mends by itself.
