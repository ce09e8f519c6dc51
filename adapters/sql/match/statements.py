"""The statements of each pass, one constant text each, for either database.

Parameters: `via` is the pass; `exact` 1 where amount and day belong to the key; `today` an ordinal.
"""

from sqlalchemy import text

# --- passes by a key -----------------------------------------------------------------------------

GROUPS = text("""
INSERT INTO match_groups (id, key, currency, sign, minor, day, pieces, shown, wanted, sought,
                          batch_count, label)
SELECT row_number() OVER (), p.key, p.currency, p.sign, p.minor, p.day, p.number, p.total,
       e.number, e.total, p.batch_count, p.label
FROM (SELECT k.key AS key, x.currency AS currency, sign(x.minor) AS sign,
             CASE WHEN :exact = 1 THEN x.minor ELSE 0 END AS minor,
             CASE WHEN :exact = 1 THEN x.day ELSE 0 END AS day,
             count(*) AS number, CAST(sum(x.minor) AS BIGINT) AS total,
             max(x.batch_count) AS batch_count, min(x.id) AS label
      FROM match_piece_keys k JOIN match_pieces x ON x.id = k.piece
      WHERE k.via = :via AND x.status IS NULL
      GROUP BY 1, 2, 3, 4, 5) p
JOIN (SELECT k.key AS key, x.currency AS currency, sign(x.minor) AS sign,
             CASE WHEN :exact = 1 THEN x.minor ELSE 0 END AS minor,
             CASE WHEN :exact = 1 THEN x.day ELSE 0 END AS day,
             count(*) AS number, CAST(sum(x.minor) AS BIGINT) AS total
      FROM match_expectation_keys k JOIN match_expectations x ON x.id = k.expectation
      WHERE k.via = :via AND x.status IS NULL AND x.proven = 0 AND x.any_amount = 0
      GROUP BY 1, 2, 3, 4, 5) e
  ON e.key = p.key AND e.currency = p.currency AND e.sign = p.sign AND e.minor = p.minor
 AND e.day = p.day
""")
GROUP_PIECES = text("""
INSERT INTO match_group_pieces (grp, piece, minor)
SELECT g.id, x.id, x.minor
FROM match_groups g
JOIN match_piece_keys k ON k.via = :via AND k.key = g.key
JOIN match_pieces x ON x.id = k.piece AND x.status IS NULL AND x.currency = g.currency
 AND sign(x.minor) = g.sign AND (:exact = 0 OR (x.minor = g.minor AND x.day = g.day))
""")
GROUP_EXPECTATIONS = text("""
INSERT INTO match_group_expectations (grp, expectation, minor)
SELECT g.id, x.id, x.minor
FROM match_groups g
JOIN match_expectation_keys k ON k.via = :via AND k.key = g.key
JOIN match_expectations x ON x.id = k.expectation AND x.status IS NULL AND x.proven = 0
 AND x.any_amount = 0 AND x.currency = g.currency AND sign(x.minor) = g.sign
 AND (:exact = 0 OR (x.minor = g.minor AND x.day = g.day))
""")
UNCLEAR = text("""
UPDATE match_groups SET decision = 'unclear'
WHERE id IN (SELECT grp FROM match_group_pieces
             WHERE piece IN (SELECT piece FROM match_group_pieces
                             GROUP BY piece HAVING count(*) > 1))
""")
WHOLE = text("""
UPDATE match_groups SET decision = 'whole'
WHERE decision IS NULL AND shown = sought
  AND (:batch = 0 OR batch_count IS NULL OR (pieces = 1 AND batch_count = wanted))
""")
BATCH_DIFFERS = text("""
UPDATE match_groups
SET decision = CASE WHEN pieces > 1 THEN 'unclear' WHEN shown = sought THEN 'count'
                   WHEN abs(shown) < abs(sought) THEN 'under' ELSE 'over' END
WHERE decision IS NULL
""")
SETTLE_PIECES = text("""
UPDATE match_pieces
SET status = CASE g.decision WHEN 'whole' THEN 'matched' ELSE g.decision END, via = :via,
    cause = CASE g.decision WHEN 'whole' THEN NULL ELSE 'amount_differs' END,
    label = g.label, does_post = CASE g.decision WHEN 'whole' THEN 1 ELSE 0 END
FROM match_group_pieces m JOIN match_groups g ON g.id = m.grp
WHERE m.piece = match_pieces.id AND g.decision IN ('whole', 'under', 'over')
""")
SETTLE_EXPECTATIONS = text("""
UPDATE match_expectations
SET status = CASE g.decision WHEN 'whole' THEN 'matched' ELSE g.decision END, via = :via,
    label = g.label
FROM match_group_expectations m JOIN match_groups g ON g.id = m.grp
WHERE m.expectation = match_expectations.id AND g.decision IN ('whole', 'under', 'over')
""")
DOUBT = text("""
UPDATE match_pieces
SET doubt = coalesce(doubt, CASE g.decision WHEN 'count' THEN 'count_differs'
                                           ELSE 'several_fit' END)
FROM match_group_pieces m JOIN match_groups g ON g.id = m.grp
WHERE m.piece = match_pieces.id AND g.decision IN ('unclear', 'count')
""")
PARTS = text("""
INSERT INTO match_parts (grp, minor, label)
SELECT p.grp, p.minor, p.label
FROM (SELECT m.grp, m.minor, count(*) AS number, min(m.piece) AS label
      FROM match_group_pieces m JOIN match_groups g ON g.id = m.grp AND g.decision IS NULL
      GROUP BY m.grp, m.minor) p
JOIN (SELECT m.grp, m.minor, count(*) AS number
      FROM match_group_expectations m JOIN match_groups g ON g.id = m.grp AND g.decision IS NULL
      GROUP BY m.grp, m.minor) e
  ON e.grp = p.grp AND e.minor = p.minor AND e.number = p.number
""")
SETTLE_PART_PIECES = text("""
UPDATE match_pieces SET status = 'matched', via = :via, label = s.label, does_post = 1
FROM match_group_pieces m JOIN match_parts s ON s.grp = m.grp AND s.minor = m.minor
WHERE m.piece = match_pieces.id
""")
SETTLE_PART_EXPECTATIONS = text("""
UPDATE match_expectations SET status = 'matched', via = :via, label = s.label
FROM match_group_expectations m JOIN match_parts s ON s.grp = m.grp AND s.minor = m.minor
WHERE m.expectation = match_expectations.id
""")
RESTS = text("""
INSERT INTO match_rests (grp, decision, label, fee, does_post)
SELECT p.grp,
       CASE WHEN e.grp IS NULL THEN 'over'
            WHEN e.number > 1 THEN 'unclear'
            WHEN p.least = e.minor AND p.most = e.minor THEN 'duplicate'
            WHEN e.minor > p.total AND e.minor - p.total <= e.fee_most THEN 'tolerated'
            WHEN abs(p.total) < abs(e.minor) THEN 'under' ELSE 'over' END,
       p.label, coalesce(e.minor - p.total, 0), coalesce(e.posts, 0)
FROM (SELECT m.grp, CAST(sum(m.minor) AS BIGINT) AS total, min(m.minor) AS least,
             max(m.minor) AS most, min(m.piece) AS label
      FROM match_group_pieces m
      JOIN match_groups g ON g.id = m.grp AND g.decision IS NULL
      WHERE NOT EXISTS (SELECT 1 FROM match_parts s WHERE s.grp = m.grp AND s.minor = m.minor)
      GROUP BY m.grp) p
LEFT JOIN
     (SELECT m.grp, count(*) AS number, min(m.minor) AS minor, min(x.fee_most) AS fee_most,
             min(x.posts) AS posts
      FROM match_group_expectations m
      JOIN match_groups g ON g.id = m.grp AND g.decision IS NULL
      JOIN match_expectations x ON x.id = m.expectation
      WHERE NOT EXISTS (SELECT 1 FROM match_parts s WHERE s.grp = m.grp AND s.minor = m.minor)
      GROUP BY m.grp) e
  ON e.grp = p.grp
""")
SETTLE_REST_PIECES = text("""
UPDATE match_pieces
SET status = CASE r.decision WHEN 'tolerated' THEN 'matched' ELSE r.decision END, via = :via,
    cause = CASE r.decision WHEN 'tolerated' THEN NULL WHEN 'duplicate' THEN 'several_lines'
                           ELSE 'amount_differs' END,
    label = r.label, fee = CASE r.decision WHEN 'tolerated' THEN r.fee ELSE 0 END,
    does_post = CASE r.decision WHEN 'tolerated' THEN r.does_post ELSE 0 END
FROM match_group_pieces m JOIN match_rests r ON r.grp = m.grp
WHERE m.piece = match_pieces.id AND match_pieces.status IS NULL AND r.decision <> 'unclear'
""")
SETTLE_REST_EXPECTATIONS = text("""
UPDATE match_expectations
SET status = CASE r.decision WHEN 'tolerated' THEN 'matched' ELSE r.decision END, via = :via,
    label = r.label
FROM match_group_expectations m JOIN match_rests r ON r.grp = m.grp
WHERE m.expectation = match_expectations.id AND match_expectations.status IS NULL
  AND r.decision IN ('tolerated', 'under', 'over')
""")
DOUBT_RESTS = text("""
UPDATE match_pieces SET doubt = coalesce(doubt, 'several_fit')
FROM match_group_pieces m JOIN match_rests r ON r.grp = m.grp
WHERE m.piece = match_pieces.id AND match_pieces.status IS NULL AND r.decision = 'unclear'
""")
MISPLACED = text("""
INSERT INTO match_misplaced (label)
SELECT DISTINCT label
FROM (SELECT p.label, p.account, p.minor
      FROM match_pieces p WHERE p.via = :via AND p.status = 'matched' AND p.fee = 0
      UNION ALL
      SELECT e.label, l.account, -l.minor
      FROM match_expectations e JOIN match_legs l ON l.expectation = e.id
      WHERE e.via = :via AND e.status = 'matched') moved
WHERE label IN (SELECT e.label FROM match_expectations e
                WHERE e.via = :via AND e.status = 'matched'
                GROUP BY e.label HAVING min(e.has_legs) = 1)
  AND label NOT IN (SELECT p.label FROM match_pieces p
                    WHERE p.via = :via AND p.status = 'matched' AND p.fee > 0)
GROUP BY label, account HAVING sum(minor) <> 0
""")
MISPLACED_PIECES = text("""
UPDATE match_pieces SET status = 'split_mismatch', cause = 'accounts_differ', does_post = 0
WHERE via = :via AND label IN (SELECT label FROM match_misplaced)
""")
MISPLACED_EXPECTATIONS = text("""
UPDATE match_expectations SET status = 'split_mismatch'
WHERE via = :via AND label IN (SELECT label FROM match_misplaced)
""")

# --- passes for loans ----------------------------------------------------------------------------

OF_LOANS = text("""
INSERT INTO match_pairs (piece, expectation)
SELECT DISTINCT p.id, e.id
FROM match_piece_keys k
JOIN match_pieces p ON p.id = k.piece
JOIN match_expectation_keys w ON w.via = k.via AND w.key = k.key
JOIN match_expectations e ON e.id = w.expectation AND e.any_amount = 1
 AND e.currency = p.currency
WHERE k.via = :via AND p.status IS NULL AND p.doubt IS NULL AND p.minor > 0
""")
SETTLE_LOANS = text("""
UPDATE match_pieces
SET status = 'matched', via = :via, label = match_pieces.id, does_post = 1, loan = m.loan
FROM (SELECT piece, min(expectation) AS loan FROM match_pairs
      GROUP BY piece HAVING count(*) = 1) m
WHERE m.piece = match_pieces.id
""")
DOUBT_PAIRS = text("""
UPDATE match_pieces SET doubt = coalesce(doubt, 'several_fit')
WHERE status IS NULL AND id IN (SELECT piece FROM match_pairs)
""")

# --- tolerant passes -----------------------------------------------------------------------------

NEAR_MANDATE = text("""
INSERT INTO match_pairs (piece, expectation)
SELECT DISTINCT p.id, e.id
FROM match_piece_keys k
JOIN match_pieces p ON p.id = k.piece
JOIN match_expectation_keys w ON w.via = k.via AND w.key = k.key
JOIN match_expectations e ON e.id = w.expectation AND e.status IS NULL AND e.proven = 0
 AND e.any_amount = 0 AND e.currency = p.currency AND sign(e.minor) = sign(p.minor)
 AND e.minor - p.minor BETWEEN 0 AND e.fee_most AND abs(e.day - p.day) <= e.days
WHERE k.via = 'mandate' AND p.status IS NULL AND p.doubt IS NULL
""")
NEAR_NAMES = text("""
SELECT p.id AS piece, p.said AS said, e.id AS expectation, e.said AS expected, e.similarity
FROM (SELECT DISTINCT pw.piece AS piece, ew.expectation AS expectation
      FROM match_piece_words pw
      JOIN match_pieces p ON p.id = pw.piece AND p.status IS NULL AND p.doubt IS NULL
      JOIN match_expectation_words ew ON ew.word = pw.word
      JOIN match_expectations e ON e.id = ew.expectation AND e.status IS NULL AND e.proven = 0
       AND e.any_amount = 0 AND e.similarity > 0 AND e.currency = p.currency
       AND sign(e.minor) = sign(p.minor) AND e.minor - p.minor BETWEEN 0 AND e.fee_most
       AND abs(e.day - p.day) <= e.days
      WHERE pw.word IN (SELECT w.word FROM match_expectation_words w
                        JOIN match_expectations x ON x.id = w.expectation AND x.status IS NULL
                         AND x.proven = 0 AND x.any_amount = 0 AND x.similarity > 0
                        GROUP BY w.word HAVING count(*) <= :most)) c
JOIN match_pieces p ON p.id = c.piece
JOIN match_expectations e ON e.id = c.expectation
""")
SETTLE_NEAR_PIECES = text("""
UPDATE match_pieces
SET status = 'matched', via = :via, label = match_pieces.id, fee = e.minor - match_pieces.minor,
    does_post = e.posts
FROM match_pairs m JOIN match_expectations e ON e.id = m.expectation
WHERE m.piece = match_pieces.id
  AND m.piece IN (SELECT piece FROM match_pairs GROUP BY piece HAVING count(*) = 1)
  AND m.expectation IN (SELECT expectation FROM match_pairs
                        GROUP BY expectation HAVING count(*) = 1)
""")
SETTLE_NEAR_EXPECTATIONS = text("""
UPDATE match_expectations SET status = 'matched', via = :via, label = p.id
FROM match_pairs m JOIN match_pieces p ON p.id = m.piece AND p.status = 'matched'
WHERE m.expectation = match_expectations.id
""")

# --- what is left --------------------------------------------------------------------------------

SHOWN_BEFORE = text("""
UPDATE match_pieces SET status = 'duplicate', cause = 'shown_before'
WHERE status IS NULL AND id IN (
    SELECT p.id
    FROM match_pieces p
    JOIN match_piece_keys k ON k.piece = p.id
     AND k.via IN ('end_to_end', 'bank_reference', 'structured_reference')
    JOIN match_expectation_keys w ON w.via = k.via AND w.key = k.key
    JOIN match_expectations e ON e.id = w.expectation AND e.currency = p.currency
     AND e.minor = p.minor AND (e.proven = 1 OR e.status = 'matched')
    WHERE p.status IS NULL)
""")
UNIDENTIFIED = text("""
UPDATE match_pieces
SET status = 'unidentified',
    cause = coalesce(doubt, CASE has_keys WHEN 1 THEN 'unknown_reference'
                                          ELSE 'names_nothing' END)
WHERE status IS NULL
""")
EXPECTED = text("""
UPDATE match_expectations
SET status = CASE WHEN by_day < :today THEN 'missing' ELSE 'expected' END
WHERE status IS NULL AND proven = 0 AND any_amount = 0
""")
FOR_LOANS = text("""
UPDATE match_expectations
SET status = CASE WHEN minor = g.total THEN 'matched' WHEN g.total < minor THEN 'under'
                  ELSE 'over' END
FROM (SELECT loan, CAST(sum(minor) AS BIGINT) AS total FROM match_pieces
      WHERE loan IS NOT NULL GROUP BY loan) g
WHERE g.loan = match_expectations.id
""")
NOTHING_FOR_LOANS = text("""
UPDATE match_expectations
SET status = CASE WHEN minor <> 0 AND by_day < :today THEN 'missing' ELSE 'expected' END
WHERE any_amount = 1 AND status IS NULL
""")
