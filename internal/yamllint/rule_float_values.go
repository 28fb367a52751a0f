package yamllint

func floatValuesRule() *Rule {
	return &Rule{
		Name: "float-values",
		What: "Forbids ways to write floating-point numbers.",
		Why:  "Some of them are numbers to one parser and strings to another.",
		Bad:  "---\nratio: .5\n", Good: "---\nratio: 0.5\n",
		Options: []Option{
			{Name: "forbid-inf", What: "whether infinite values such as .inf are forbidden", Default: false, Type: Type{Bool: true}},
			{Name: "forbid-nan", What: "whether .nan is forbidden", Default: false, Type: Type{Bool: true}},
			{Name: "forbid-scientific-notation", What: "whether exponents such as in 1e3 are forbidden", Default: false, Type: Type{Bool: true}},
			{Name: "require-numeral-before-decimal", What: "whether a digit must be before the point", Default: false, Type: Type{Bool: true}},
		},
		check: checkFloatValues,
	}
}

func checkFloatValues(o options, text []byte, r *reporter) checks {
	noInf, noNaN := o.bool("forbid-inf"), o.bool("forbid-nan")
	noExponent, needDigit := o.bool("forbid-scientific-notation"), o.bool("require-numeral-before-decimal")
	return checks{kinds: []Kind{Scalar}, token: func(w *window) {
		t := w.cur
		if !t.Plain() || w.prev != nil && w.prev.Kind == Tag {
			return
		}
		value := string(text[t.Start.Offset:t.End.Offset])
		if !mayBeNumber(value) {
			return
		}
		whole, exponent, ok := scanFloat(value)
		switch number := trimSign(value); {
		case noNaN && (value == ".nan" || value == ".NaN" || value == ".NAN"):
			r.at(t.Start, `forbidden not a number value "`+value+`"`)
		case noInf && (number == ".inf" || number == ".Inf" || number == ".INF"):
			r.at(t.Start, `forbidden infinite value "`+value+`"`)
		}
		if ok && noExponent && exponent {
			r.at(t.Start, `forbidden scientific notation "`+value+`"`)
		}
		if ok && needDigit && !whole {
			r.at(t.Start, `forbidden decimal missing 0 prefix "`+value+`"`)
		}
	}}
}

// mayBeNumber tells quickly that most scalars are no numbers.
func mayBeNumber(s string) bool {
	return s != "" && (s[0] == '.' || s[0] == '-' || s[0] == '+' || '0' <= s[0] && s[0] <= '9')
}

func trimSign(s string) string {
	if s[0] == '-' || s[0] == '+' {
		return s[1:]
	}
	return s
}

// scanFloat tells whether a scalar is a decimal number, whether a digit is before its point, and whether it has
// an exponent.
func scanFloat(s string) (whole, exponent, ok bool) {
	s = trimSign(s)
	n := digits(s)
	whole = n > 0
	s = s[n:]
	if s != "" && s[0] == '.' {
		n = digits(s[1:])
		if !whole && n == 0 {
			return false, false, false
		}
		s = s[1+n:]
	} else if !whole {
		return false, false, false
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if s != "" && (s[0] == '-' || s[0] == '+') {
			s = s[1:]
		}
		n = digits(s)
		exponent, s = n > 0, s[n:]
		if !exponent {
			return false, false, false
		}
	}
	return whole, exponent, s == ""
}

// digits returns how many decimal digits a string starts with.
func digits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}
