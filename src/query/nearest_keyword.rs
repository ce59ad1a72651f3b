//! Finds the known keyword that is most similar to a mistyped one.

/// Returns the keyword that is most similar to `word`; `None` when no keyword is similar.
///
/// A keyword is similar when one of the two is an abbreviation of the other, or when the edit distance (Levenshtein) is
/// at most half the length of the longer one in bytes. Abbreviations come first, then the smallest edit distance.
pub(crate) fn nearest_keyword<'k>(word: &str, keywords: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let abbreviates = |keyword: &str| is_abbreviation(word, keyword) || is_abbreviation(keyword, word);
    let is_similar =
        |keyword: &str| abbreviates(keyword) || edit_distance(word, keyword) * 2 <= word.len().max(keyword.len());
    let similar = keywords.into_iter().filter(|keyword| is_similar(keyword));
    similar.min_by_key(|keyword| (!abbreviates(keyword), edit_distance(word, keyword)))
}

/// True when both start with the same character and `short` is `long` with some characters left out.
fn is_abbreviation(short: &str, long: &str) -> bool {
    let mut rest = long.chars();
    short.chars().next() == long.chars().next() && short.chars().all(|c| rest.any(|next| next == c))
}

/// Returns the number of characters to insert, delete or replace to turn one word into the other (Levenshtein).
fn edit_distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, char_a) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(row.first_mut().unwrap_or(&mut 0), i + 1);
        let mut left = i + 1;
        for (char_b, cell) in b.chars().zip(row.iter_mut().skip(1)) {
            let best = (diagonal + usize::from(char_a != char_b)).min(*cell + 1).min(left + 1);
            diagonal = std::mem::replace(cell, best);
            left = best;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::filter_terms::term_keys;
    use super::*;

    #[test]
    fn the_nearest_keyword_is_an_abbreviation_or_takes_few_changes() {
        assert_eq!(
            ["aggregat", "typ", "namspace", "v", "offest", "schemas"].map(|w| nearest_keyword(w, term_keys())),
            ["aggregate_id", "type", "namespace", "v", "offset", "schema"].map(Some)
        );
        assert_eq!(["foo", "nothing", "z"].map(|w| nearest_keyword(w, term_keys())), [None; 3]);
        assert_eq!((edit_distance("kitten", "sitting"), edit_distance("", "ab"), edit_distance("ab", "ab")), (3, 2, 0));
    }
}
