"""A list of 20 rows of every kind, who answers to it, and what has to come of it."""
import time

ANSWERS = ["7101", "7102", "7103", "7104", "7105", "7106"]
BUSY_ONCE = ["7201", "7202", "7203"]
SILENT = ["7301"]
VACANT = ["7401", "7402", "7403", "7404"]
DECLINES = ["7501", "7502", "7503"]
NOT_NOW = ["7601", "7602", "7603"]

SCRIPTS = {
    **{number: ["answer"] for number in ANSWERS},
    **{number: [486, "answer"] for number in BUSY_ONCE},
    **{number: ["silent"] for number in SILENT},
    **{number: [603] for number in DECLINES},
}
ENDS = {
    **{number: "reached" for number in ANSWERS + BUSY_ONCE},
    **{number: "used_up" for number in SILENT},
    **{number: "vacant" for number in VACANT},
    **{number: "declined" for number in DECLINES},
}
CALLS = {**{number: 1 for number in ANSWERS + SILENT + DECLINES}, **{number: 2 for number in BUSY_ONCE}}
# Who never answers was called once before, so one call more uses the attempts up.
OPTIONS = {"gap_s": 0, "interval_s": 1, "attempts": 2, "ring_s": 10, "upload_s": 1}


def text():
    """The file. Kinds alternate; some rows wait for a time of day that is hours away by the office's clock."""
    hour = (time.gmtime().tm_hour + 3) % 24
    kinds = [(ANSWERS, "", 0), (BUSY_ONCE, "", 0), (VACANT, "", 0), (SILENT, "", 1), (DECLINES, "", 0),
             (NOT_NOW, f"{hour:02}:00-{hour:02}:59", 0)]
    rows = ["number,name,slot,attempts"]
    for turn in range(max(len(numbers) for numbers, _, _ in kinds)):
        rows += [f"{numbers[turn]},王 {numbers[turn]},{slot},{attempts}" for numbers, slot, attempts in kinds if turn < len(numbers)]
    assert len(rows) == 21
    return "\n".join(rows) + "\n"
