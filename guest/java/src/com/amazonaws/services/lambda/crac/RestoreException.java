package com.amazonaws.services.lambda.crac;

/** Resources have failed; what they threw is suppressed in it. */
public class RestoreException extends Exception {
    private static final long serialVersionUID = 1;
}
