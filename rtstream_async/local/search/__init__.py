"""Search in what indexes have recorded and what is said in videos."""
