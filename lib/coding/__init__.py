"""One input coded: the plan of a run, the loop of both directions, the predictor, the streams, the .lks file."""
