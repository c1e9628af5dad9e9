//! What a spreadsheet would make of a cell.

/// Whether a spreadsheet would take it for a formula (sec_17). Its own forms of = + - @ in full width count too; a plain
/// number does not: digits with at most one `+` or `-` before them.
#[must_use]
pub fn is_formula(cell: &str) -> bool {
    let plain = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    if !plain.is_empty() && plain.bytes().all(|octet| octet.is_ascii_digit()) {
        return false;
    }
    cell.trim_start_matches(' ').starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_17_formulas_are_known_and_plain_numbers_spared() {
        for formula in ["=1", "+1+1", "-1-1", "@A1", "\t=1", "\r=1", "\n=1", " =1", "+86 10", "＝1", "+", "-"]
        {
            assert!(is_formula(formula), "{formula}");
        }
        for plain in ["", "+8613800138000", "-5", "101", "Alice", "a=b", "*98", "alice-phone"] {
            assert!(!is_formula(plain), "{plain}");
        }
    }
}
